"""What the door is held against: a FastAPI route that reads its body and does nothing with it."""

from fastapi import FastAPI, Request

app = FastAPI()


@app.post("/")
async def receive(request: Request) -> dict[str, bool]:
    await request.body()
    return {"received": True}
