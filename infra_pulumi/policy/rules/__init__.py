"""The rules, by what they are about. A rule that needs a value which is not known before things are made waits for it."""
