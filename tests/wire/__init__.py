"""The forty ways in which a wire misbehaves, each through the whole engine on a raw socket."""
