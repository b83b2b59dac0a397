"""The settings of django-auth-ldap; a module of its own, since it imports what not every image has."""
import ldap
from django_auth_ldap.config import LDAPSearch


def settings_for(env, by_search, password):
    uri, path = env.text('LDAP_URI'), env.text('LDAP_SEARCH_PATH')
    settings = {
        'AUTH_LDAP_SERVER_URI': uri,
        # Passwords do not travel in clear: plain ldap:// is upgraded, or the sign-in fails.
        'AUTH_LDAP_START_TLS': not uri.lower().startswith('ldaps://'),
        'AUTH_LDAP_CONNECTION_OPTIONS': {ldap.OPT_NETWORK_TIMEOUT: 5, ldap.OPT_REFERRALS: 0},
        'AUTH_LDAP_USER_ATTR_MAP': {'first_name': 'givenName', 'last_name': 'sn', 'email': 'mail'},
    }
    if by_search:
        settings['AUTH_LDAP_BIND_DN'] = env.text('LDAP_BIND_DN')
        settings['AUTH_LDAP_BIND_PASSWORD'] = password
        settings['AUTH_LDAP_USER_SEARCH'] = LDAPSearch(path, ldap.SCOPE_SUBTREE, '(CN=%(user)s)')
    else:
        settings['AUTH_LDAP_USER_DN_TEMPLATE'] = f'CN=%(user)s,{path}'
    return settings
