from django.contrib import admin
from django.urls import include, path

from inventory import views

urlpatterns = [
    path('', views.start),
    path('healthz', views.health),
    path('admin/', admin.site.urls),
    path('api/inventory/', include('inventory.urls')),
]
