"""A fake Cloudflare: Email Security's investigate endpoints over real HTTP."""
