"""What lies where in the embedded server's folder."""

import hashlib
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Folder:
    """The folder of one embedded server. Everything in it was made by the launcher; nothing outside is touched."""

    root: Path

    @property
    def cluster(self) -> Path:
        """PostgreSQL's own data directory."""
        return self.root / "cluster"

    @property
    def password(self) -> Path:
        """The database role's password, readable by its owner only."""
        return self.root / "password"

    @property
    def port(self) -> Path:
        """The port picked at first, kept so that the URL stays the same from start to start."""
        return self.root / "port"

    @property
    def launch_lock(self) -> Path:
        """Held while someone joins or starts the server, and while the keeper decides to stop it and does."""
        return self.root / "launch.lock"

    @property
    def users_lock(self) -> Path:
        """Held, shared, by every process that uses the server, for as long as it lives."""
        return self.root / "users.lock"

    @property
    def keeper_lock(self) -> Path:
        """Held by the keeper for as long as it lives; contains its process id."""
        return self.root / "keeper.lock"

    @property
    def keeper_log(self) -> Path:
        """What the keeper, initdb, and the server before its own log is open, had to say."""
        return self.root / "keeper.log"

    @property
    def name(self) -> str:
        """The server's cluster_name: it stands in the command line of its processes, so they can be found."""
        return "weir-" + hashlib.sha256(str(self.root).encode()).hexdigest()[:12]

    def log_tail(self, lines: int = 12) -> str:
        """The last lines of the keeper's log and of the server's newest one."""
        newest = sorted(self.cluster.glob("log/*.log"), key=lambda path: path.stat().st_mtime)[-1:]
        texts = [path.read_text(errors="replace") for path in (self.keeper_log, *newest) if path.exists()]
        return "\n".join("\n".join(text.splitlines()[-lines:]) for text in texts if text)
