"""What a tier must provide: one small abstract class a file."""
