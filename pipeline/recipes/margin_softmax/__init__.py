"""MDFE's training: a head on pooled features, by cross entropy over class centres with a margin."""
