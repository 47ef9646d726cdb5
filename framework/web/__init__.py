"""The door of HTTP: an application served, or inside a web application of the user's own; FastAPI only where asked."""

from framework.web.embedding import asgi, install, lifespan, router

__all__ = ["asgi", "install", "lifespan", "router"]
