"""What runs inside a measured process: one adapter for each peer, with its public API only."""
