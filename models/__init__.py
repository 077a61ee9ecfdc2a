"""What is suspicious: each model's spec and released artefact, and the code that trains them.

Not in the Lambda package: the function gets an artefact's manifest and arrays, and `processor.scoring`.
"""
