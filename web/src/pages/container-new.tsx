// One container without a project: from an image, with a port, as small tools ask for it.
import { useState } from 'preact/hooks';
import { carryOut, type Deed } from '../base/deed';
import { useList } from '../base/query';
import { query } from '../base/router';
import type { Image } from '../base/shapes';
import { Dialog, SameAs } from '../ui/dialog';
import { Field } from '../ui/parts';

const lines = (text: string) => text.split('\n').map((line) => line.trim()).filter(Boolean);
const sizes: Record<string, number> = { '': 1, k: 1024, m: 1024 ** 2, g: 1024 ** 3 };
function memoryOf(text: string): number {
  const found = /^(\d+(?:\.\d+)?)\s*([kmg]?)i?b?$/i.exec(text.trim());
  return found ? Math.round(Number(found[1]) * sizes[found[2]!.toLowerCase()]!) : 0;
}
/** Words as a shell would part them: quotes hold together. */
const words = (text: string): string[] => [...text.matchAll(/"([^"]*)"|'([^']*)'|(\S+)/g)].map((found) => found[1] ?? found[2] ?? found[3]!);

export function NewContainer({ onClose }: { onClose: () => void }) {
  const images = useList<Image>('/images');
  const [form, setForm] = useState({ image: query.value.get('image') ?? '', name: '', ports: '', env: '', command: '', memory: '512m', cpus: '1', restart: 'unless-stopped', volumes: '' });
  const set = (name: keyof typeof form) => (event: Event) => setForm({ ...form, [name]: (event.currentTarget as HTMLInputElement).value });
  const deed: Deed = {
    label: 'Create and start', path: '/containers', body: {
      image: form.image, name: form.name, ports: lines(form.ports.replace(/,/g, '\n')), env: Object.fromEntries(lines(form.env).map((line) => [line.split('=')[0]!, line.slice(line.indexOf('=') + 1)])),
      command: words(form.command), memory: memoryOf(form.memory), cpus: Number(form.cpus), restart: form.restart, volumes: lines(form.volumes), networks: [], pull: true } };
  const submit = async (event: Event) => {
    event.preventDefault();
    if (await carryOut(deed)) onClose();
  };
  return (
    <Dialog title="New container" onClose={onClose} wide>
      <form onSubmit={submit}>
        <div class="fields">
          <Field label="Image" hint="It is pulled when it is not here"><input data-first required list="images" class="mono" value={form.image} onInput={set('image')} placeholder="nginx:1.27" /></Field>
          <Field label="Name"><input required pattern="[a-zA-Z0-9][a-zA-Z0-9_.\-]*" title="letters, digits, _ . -" spellcheck={false} value={form.name} onInput={set('name')} /></Field>
          <Field label="Ports" hint="8080:80, several by comma"><input class="mono" value={form.ports} onInput={set('ports')} placeholder="8080:80" /></Field>
          <Field label="Restart"><select value={form.restart} onChange={set('restart')}><option>unless-stopped</option><option>always</option><option>on-failure</option><option>no</option></select></Field>
          <Field label="Memory at most"><input value={form.memory} onInput={set('memory')} /></Field>
          <Field label="Processors at most"><input type="number" step="0.1" min="0.1" value={form.cpus} onInput={set('cpus')} /></Field>
        </div>
        <Field label="Command" hint="Empty: what the image says"><input class="mono" value={form.command} onInput={set('command')} /></Field>
        <div class="fields">
          <Field label="Environment" hint="NAME=value, one a line"><textarea rows={3} value={form.env} onInput={set('env')} /></Field>
          <Field label="Volumes" hint="name:/path, one a line"><textarea rows={3} value={form.volumes} onInput={set('volumes')} /></Field>
        </div>
        <datalist id="images">{images.data.value?.items.flatMap((image) => image.tags).map((tag) => <option key={tag} value={tag} />)}</datalist>
        <SameAs deed={deed} />
        <footer><button type="button" onClick={onClose}>Cancel</button><button class="primary">Create and start</button></footer>
      </form>
    </Dialog>
  );
}
