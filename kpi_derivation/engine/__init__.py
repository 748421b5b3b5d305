"""The runner: windows become hours, hours days, days periods; only what changed is folded again. Pure."""
