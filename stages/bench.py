"""Time the heavy parts of the chain beside the bare work in them."""

import click

from stages._cli import Run, stage


@click.option(
    "--only",
    multiple=True,
    help="Group of cases: finch, adapt, evaluate, extract, views, train, margin, attributes, export.  [default: all]",
)
@click.option("--repeats", type=click.IntRange(min=1), default=5, show_default=True, help="Runs a median is taken of.")
@stage
def main(run: Run, only: tuple[str, ...], repeats: int) -> None:
    """Measure each part beside its limit (bare matrix products, bare passes of networks) in one run on this machine.

    On the CPU, and on CUDA where there is one (runtime.device: cpu leaves it out). Writes one table and one JSON file
    a device to metrics/bench, named after the hardware. Ratios compare machines; seconds do not.
    """
    import torch

    from pipeline.base.devices import torch_device
    from pipeline.base.errors import UserError
    from pipeline.base.names import METRICS_FOLDER
    from pipeline.base.progress import progress
    from pipeline.base.reports import write_json, write_text
    from pipeline.benchmarks.measure import conditions, hardware_name, measure_apart
    from pipeline.benchmarks.report import bench_figures, bench_table
    from pipeline.benchmarks.suite import GROUPS, published_sizes

    unknown = sorted(set(only) - set(GROUPS))
    if unknown:
        raise UserError(f"--only: unknown group {unknown[0]!r}; known: {', '.join(GROUPS)}")
    runtime = run.runtime()
    cases = [case for case in published_sizes(runtime.workers, run.params) if not only or case.group in only]
    for device in dict.fromkeys([torch.device("cpu"), torch_device(runtime.device)]):
        chosen = [case for case in cases if device.type == "cpu" or not case.cpu_only]
        if not chosen:
            continue
        made = [measure_apart(case, device, repeats) for case in progress(chosen, what="bench", unit="case")]
        name = hardware_name(device)
        out = METRICS_FOLDER / "bench" / "-".join([name, *sorted(only)])
        table = bench_table(made)
        write_json(
            out.with_suffix(".json"), bench_figures(made, {"hardware": name, "repeats": repeats, **conditions()})
        )
        write_text(out.with_suffix(".md"), table)
        run.say(f"{name}, medians of {repeats}\n\n{table}\n")


if __name__ == "__main__":
    main()
