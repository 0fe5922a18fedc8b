"""Rooms as files in a folder: a channel for an installation that has no chat tool and no way out."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from tocsin.channels.protocol import DeliveryFailed, Message, Room
from tocsin.core.response_channel import ROOM_OPEN
from tocsin.platform.text import slug


@dataclass(frozen=True, slots=True)
class FileChannel:
    """One file a room, one line of JSON a message. A message that stands there already is not written again."""

    folder: Path

    def send(self, message: Message, *, deadline: timedelta) -> str:  # noqa: ARG002 - writing takes no time
        room = slug(message.address, limit=100) or "room"
        path = self.folder / f"{room}.jsonl"
        said = {"key": message.key, "at": message.due_at.isoformat(), "text": message.payload.get("text", "")}
        try:
            self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            if message.kind == ROOM_OPEN:
                path.touch(mode=0o600)
                return Room(reference=room).receipt()
            if not self._holds(path, message.key):
                with path.open("a", encoding="utf-8") as file:
                    file.write(json.dumps(said, ensure_ascii=False) + "\n")
        except OSError as trouble:
            raise DeliveryFailed(f"{path.name}: {trouble.strerror or trouble}") from trouble
        return f"written to {path.name}"

    @staticmethod
    def _holds(path: Path, key: str) -> bool:
        if not path.exists():
            return False
        lines = path.read_text(encoding="utf-8").splitlines()
        return any(line.startswith(json.dumps({"key": key})[:-1] + ",") for line in lines)
