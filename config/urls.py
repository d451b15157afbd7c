"""Every URL Django serves. The gate's (check, usage) are routed before Django, in config/asgi.py."""

from django.contrib import admin
from django.urls import path

urlpatterns = [path("admin/", admin.site.urls)]
