"""The wire of media: the only part that knows WebRTC. Takes A/V units, gives the caller's voice."""

from .bitrate import BitrateRange
from .ice import IceServer, ice_servers_from_env
from .negotiate import PeerSettings
from .peer import ConnectionState, Peer
from .stats import PeerStats
from .tracks import MediaPair, UnitSource

__all__ = [
    "BitrateRange",
    "ConnectionState",
    "IceServer",
    "MediaPair",
    "Peer",
    "PeerSettings",
    "PeerStats",
    "UnitSource",
    "ice_servers_from_env",
]
