import type { JobHandle } from '../../lib/index.ts';
import type { JobMetrics } from '../../lib/plan/job-report.ts';
import { clusterNames, type FlightCluster, startClusters, stopClusters } from './clusters.ts';
import { flightDelays } from './job.ts';
import type { LoadInput } from './loader.ts';
import type { MostDelayedInput } from './most-delayed.ts';
import type { FlightOptions } from './options.ts';
import { OutageScript } from './outage.ts';
import type { Findings, Usage } from './report.ts';
import { runSideProcess } from './side-process.ts';
import type { VerifyInput, VerifyProgress, VerifyResult } from './verify.ts';
import type { DelayedAirport, View } from './view.ts';

/** How often the script of the outage and the view look at the job's figures. */
const lookEveryMs = 10;
/** The cluster that is written to first, and that goes dark. */
const darkCluster = clusterNames[0];
const jobName = 'flight-delays';

/** One run of the main job, stage by stage; what is known so far is in `findings` at any time. */
export class FlightRun {
  readonly #options: FlightOptions;
  readonly #view: View;
  readonly #signal: AbortSignal;
  #clusters: readonly FlightCluster[] = [];
  #script: OutageScript | undefined;
  #found: Partial<Findings> = {};

  /** When `signal` is aborted the stage that runs ends early and rejects with the signal's reason. */
  constructor(options: FlightOptions, view: View, signal: AbortSignal) {
    this.#options = options;
    this.#view = view;
    this.#signal = signal;
  }

  get clusters(): readonly FlightCluster[] {
    return this.#clusters;
  }

  get findings(): Findings {
    return {
      job: jobName,
      rate: this.#options.rate,
      records: this.#options.records,
      outages: this.#script?.outages ?? [],
      failovers: this.#script?.failovers ?? [],
      unplannedOutages: this.#script?.unplanned ?? 0,
      clusters: [],
      ...this.#found,
    };
  }

  async startClusters(): Promise<void> {
    this.#clusters = await startClusters(this.#options.kafka, this.#signal);
    this.#view.clusters(this.#clusters);
  }

  async load(): Promise<void> {
    const startedAt = performance.now();
    const input: LoadInput = { clusters: this.#addresses(), records: this.#options.records };
    const onProgress = (loaded: number) => {
      this.#found = { ...this.#found, loaded };
      this.#view.loading(loaded);
    };
    await runSideProcess('loader', input, onProgress, this.#signal);
    this.#found = { ...this.#found, loadSeconds: (performance.now() - startedAt) / 1000 };
  }

  async runJob(): Promise<void> {
    const measure = startMeasure();
    const { rate, threads } = this.#options;
    const job = await flightDelays(this.#addresses(), rate).start({ threads });
    const script = this.#makeScript();
    const events = job.events$.subscribe(event => {
      // While everything is being taken down, what goes down is no outage.
      if (!this.#signal.aborted) script.onEvent(event);
      this.#view.event(event);
    });
    const look = () => {
      const metrics = job.metrics();
      this.#take(metrics);
      if (this.#options.outage && !this.#signal.aborted) script.look(metrics);
      this.#view.running(metrics);
    };
    const timer = setInterval(look, lookEveryMs);
    const stopLooking = this.#followDelays();
    try {
      await this.#untilDone(job);
      look();
    } finally {
      clearInterval(timer);
      stopLooking();
      events.unsubscribe();
      this.#found = { ...this.#found, run: measure() };
      await script.end();
    }
  }

  async verify(): Promise<void> {
    const startedAt = performance.now();
    const input: VerifyInput = { clusters: this.#addresses(), records: this.#options.records };
    this.#view.verifying(0, this.#found.rowsOut ?? 0);
    const onProgress = ({ records, total }: VerifyProgress) => this.#view.verifying(records, total);
    const result = await runSideProcess<VerifyInput, VerifyProgress, VerifyResult>(
      'verify',
      input,
      onProgress,
      this.#signal,
    );
    this.#found = { ...this.#found, verify: { ...result, seconds: (performance.now() - startedAt) / 1000 } };
  }

  /** CPU time and memory of the clusters' own processes, while they still run. */
  async askClusters(): Promise<void> {
    const clusters = await Promise.all(
      this.#clusters.map(async cluster => ({ name: cluster.name, ...(await cluster.usage()) })),
    );
    this.#found = { ...this.#found, clusters };
  }

  async stopClusters(): Promise<void> {
    await stopClusters(this.#clusters);
  }

  /** Rejects when the job failed or the run was aborted; in the latter case the job is stopped first. */
  async #untilDone(job: JobHandle): Promise<void> {
    const stop = () => void job.stop();
    this.#signal.addEventListener('abort', stop);
    if (this.#signal.aborted) stop();
    try {
      const result = await job.done;
      this.#take(result.metrics);
      this.#signal.throwIfAborted();
    } finally {
      this.#signal.removeEventListener('abort', stop);
    }
  }

  /** Has the most delayed airports looked up for a view that shows them; the returned function ends that. */
  #followDelays(): () => void {
    const controller = new AbortController();
    if (!this.#view.showsDelayed) return () => undefined;
    const input: MostDelayedInput = { clusters: this.#addresses() };
    const onProgress = (airports: readonly DelayedAirport[]) => this.#view.delayed(airports);
    runSideProcess('most-delayed', input, onProgress, controller.signal).catch(error => {
      // It only decorates: without it the run goes on.
      if (!controller.signal.aborted) this.#view.note(`the most delayed airports are unknown: ${error.message}`);
    });
    return () => controller.abort();
  }

  #makeScript(): OutageScript {
    const cluster = this.#clusters.find(each => each.name === darkCluster)!;
    this.#script = new OutageScript({
      cluster: darkCluster,
      records: this.#options.records,
      goDark: () => cluster.goDark(),
      comeBack: () => cluster.comeBack(),
      now: () => performance.now(),
    });
    return this.#script;
  }

  #take({ recordsIn, recordsOut, lateRows, badRecords }: JobMetrics): void {
    this.#found = { ...this.#found, recordsIn, rowsOut: recordsOut, lateRows, badRecords };
  }

  #addresses(): { readonly name: string; readonly brokers: readonly string[] }[] {
    return this.#clusters.map(({ name, brokers }) => ({ name, brokers }));
  }
}

/** CPU time of all threads of this process, and its largest resident set, from now until the returned function is called. */
function startMeasure(): () => Usage {
  const startedAt = performance.now();
  const cpu = process.cpuUsage();
  return () => {
    const { user, system } = process.cpuUsage(cpu);
    const { maxRSS } = process.resourceUsage();
    return {
      seconds: (performance.now() - startedAt) / 1000,
      cpuSeconds: (user + system) / 1e6,
      rssBytesMax: maxRSS * 1024,
    };
  };
}
