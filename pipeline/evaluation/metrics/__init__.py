"""One metric a module; `pipeline.evaluation.metric` says what a module has."""
