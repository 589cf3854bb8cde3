"""The provider protocols on loopback, strict and scripted. Knows nothing of the rest."""
