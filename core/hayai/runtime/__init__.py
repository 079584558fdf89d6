"""The runtime: builds the tier, loads the plugins, runs until told to stop; with cli, what knows all other rooms."""
