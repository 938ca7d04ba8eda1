"""Waves of copies in virtual time: what people and machines get of them."""
