"""How the shipped weights came to be: data sets, distortions, the loop, evaluation."""
