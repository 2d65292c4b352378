"""systemd units for a server without containers: web and worker, each with minimal rights."""

from collections.abc import Mapping
from pathlib import Path

SETTINGS = "/etc/kommo-stripe/env"
STATE = "kommo-stripe"
"""The folder below /var/lib, created by systemd for the dynamic user."""
PROCESSES = {
    "kommo-stripe-web": ("web", "serve --no-worker"),
    "kommo-stripe-worker": ("worker", "worker"),
}
UNIT = """\
# Made by `kommo-stripe init --systemd`. Put it into /etc/systemd/system; docs/deploy.md tells the rest.
[Unit]
Description=Stripe payments in Kommo: {what}
Wants=network-online.target
After=network-online.target postgresql.service

[Service]
Type=exec
ExecStart={program} {words}
EnvironmentFile={settings}
Environment=STATE_DIR=/var/lib/{state} PYTHONDONTWRITEBYTECODE=1
WorkingDirectory=/var/lib/{state}
Restart=always
RestartSec=2
# It ends within 20 seconds of SIGTERM by itself.
TimeoutStopSec=25

# A user that exists while this runs; the folder is its own.
DynamicUser=yes
User=kommo-stripe
StateDirectory={state}
StateDirectoryMode=0700
UMask=0077

NoNewPrivileges=yes
CapabilityBoundingSet=
AmbientCapabilities=
ProtectSystem=strict
ProtectHome=yes
PrivateTmp=yes
PrivateDevices=yes
PrivateUsers=yes
ProtectClock=yes
ProtectControlGroups=yes
ProtectHostname=yes
ProtectKernelLogs=yes
ProtectKernelModules=yes
ProtectKernelTunables=yes
ProtectProc=invisible
ProcSubset=pid
RemoveIPC=yes
LockPersonality=yes
MemoryDenyWriteExecute=yes
RestrictAddressFamilies=AF_INET AF_INET6 AF_UNIX
RestrictNamespaces=yes
RestrictRealtime=yes
RestrictSUIDSGID=yes
SystemCallArchitectures=native
SystemCallFilter=@system-service
SystemCallFilter=~@privileged
SystemCallErrorNumber=EPERM
LimitNOFILE=65536

[Install]
WantedBy=multi-user.target
"""


def units(program: Path) -> Mapping[str, str]:
    """Return each unit's text by its file name, for the program at this path."""
    return {
        f"{name}.service": UNIT.format(what=what, words=words, program=program, settings=SETTINGS, state=STATE)
        for name, (what, words) in PROCESSES.items()
    }
