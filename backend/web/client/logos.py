"""Logos on the payer's pages. The address is a digest of the image, so browsers may cache it for good."""

from typing import Any

from fastapi import APIRouter, Response

from backend.accounts.branding.logo import logo_by
from backend.web.http.deps import ResourcesDep

HEADERS = {
    "Cache-Control": "public, max-age=31536000, immutable",
    "Content-Security-Policy": "default-src 'none'; sandbox; frame-ancestors 'none'",
    "X-Robots-Tag": "noindex, nofollow",
}

PICTURE: dict[int | str, dict[str, Any]] = {
    200: {"content": {kind: {} for kind in ("image/png", "image/jpeg", "image/webp")}, "description": "The logo."},
    404: {"description": "No such logo."},
}

router = APIRouter(default_response_class=Response, responses=PICTURE)


@router.get("/logo/{digest}", name="logo")
@router.head("/logo/{digest}", name="logo", include_in_schema=False)
async def logo(resources: ResourcesDep, digest: str) -> Response:
    """Return the image with this digest, cacheable for a year since a new image has a new digest; 404 without one."""
    found = await logo_by(resources, digest)
    if found is None:
        return Response(status_code=404)
    return Response(found.body, media_type=found.content_type, headers=HEADERS)
