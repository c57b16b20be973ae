"""An invented alliance to try the gateway with; every name and figure in it is made up."""
