"""REST under /api/v1: resources generated from entity types, order intake, and the OpenAPI description of both."""
