"""What our doors are held against: FastAPI routes that take a request and do nothing with it."""

from fastapi import FastAPI, Request
from fastapi.responses import RedirectResponse

app = FastAPI()


@app.post("/")
async def receive(request: Request) -> dict[str, bool]:
    await request.body()
    return {"received": True}


@app.get("/deals/{lead_id}")
async def show(lead_id: int) -> dict[str, int]:
    return {"lead_id": lead_id}


@app.get("/{token}")
async def lead_on(token: str) -> RedirectResponse:
    return RedirectResponse(f"https://checkout.example/{token}", 303)
