"""The subcommands of `alliance`, one file each; `gateway/cli.py` registers them."""
