"""The field's data sets in their published layouts, from the user's disk: label files to one table."""
