// One job: its state, its lines.
import { span } from '../base/format';
import { Facts, Head, Time } from '../ui/parts';
import { ended, JobLines, useJob } from '../ui/job';
import { State } from '../ui/state';

export default function JobPage({ id }: Record<string, string>) {
  const { lines, job } = useJob(id!);
  return (
    <>
      <Head title={job ? `${job.kind} ${job.subject}` : 'Job'} above={<a href="/">Overview</a>} note={job && <State word={job.state} />} />
      {job?.error && <div class="notice bad" role="alert">{job.error}</div>}
      {job && <div class="card"><Facts of={[['Started', <Time at={job.startedAt} />], ['Took', job.startedAt && job.endedAt ? span(job.endedAt - job.startedAt) : '–'], ['By', job.by], ['Project', job.project ? <a href={`/projects/${job.project}`}>{job.project}</a> : '–']]} /></div>}
      {lines.length === 0 && job && ended(job.state) ? <p class="muted">It said nothing more.</p> : <JobLines lines={lines} />}
    </>
  );
}
