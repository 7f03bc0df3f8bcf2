"""Numbers to pages. Reads Parquet, never video; the only place that knows Plotly."""
