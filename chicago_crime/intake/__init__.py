"""How yearly files are checked, split into rows and damage, and kept with a manifest."""
