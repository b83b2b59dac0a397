from django.urls import path

from . import views

urlpatterns = [
    path('api/health', views.health),
    path('api/stations', views.stations),
    path('api/stations/<slug:slug>', views.station),
    path('api/me', views.me),
    path('api/visit', views.visit),
    path('dashboards/', views.dashboard),
]
