"""The `hayai` command, one file a family of subcommands."""
