"""Why a task ran, did not run, or waits: gates in order, from one look at the rows."""

from modules.core.scheduler.explaining.explainer import Explainer

__all__ = ["Explainer"]
