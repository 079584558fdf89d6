"""The receptionist: answers, books, moves and cancels appointments without a language model."""
