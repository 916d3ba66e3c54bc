"""Check params.yaml as a whole, before any stage runs."""

from stages._cli import Run, stage

SECTIONS = {
    "data": "DataParams",
    "prepare": "PrepareParams",
    "finetune": "FinetuneParams",
    "extract": "ExtractParams",
    "cluster": "ClusterParams",
    "weight": "WeightParams",
    "adapt": "AdaptParams",
    "evaluate": "EvaluateParams",
    "runtime": "RuntimeParams",
}
PLUGIN_SECTIONS = ("seed", "datasets", "recipes")


@stage
def main(run: Run) -> None:
    """Check every section of params.yaml, so that a slip in a late stage's section shows at once."""
    from importlib import import_module

    from pipeline.errors import UserError
    from pipeline.evaluation.protocols import check_protocol
    from pipeline.sources.dataset import load_dataset
    from pipeline.training.recipe import load_recipe
    from pipeline.weighting.strategy import load_strategy

    known = [*PLUGIN_SECTIONS, *SECTIONS]
    for name in run.params:
        if name not in known:
            raise UserError(f"{name}: unknown section; known: {', '.join(known)}")
    sections = {
        name: run.section(name, getattr(import_module(f"pipeline.params.{name}"), model))
        for name, model in SECTIONS.items()
    }
    _ = run.seed
    load_dataset(run.params, sections["data"].dataset)
    load_recipe(run.params, sections["finetune"].recipe)
    load_strategy(sections["weight"].strategy)
    check_protocol(sections["evaluate"].protocol)


if __name__ == "__main__":
    main()
