"""The torments: plain functions of an arena, scaled by their parameters, each ending in a verdict."""
