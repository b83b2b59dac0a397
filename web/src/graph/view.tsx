// Who is connected to what, drawn: dagre places the boxes, our SVG draws them, and each box is a link for keys and
// readers too.
import { Graph, layout } from '@dagrejs/dagre';
import { useMemo, useState } from 'preact/hooks';
import { elsewhere } from '../base/engine';

export interface Node {
  id: string;
  kind: string;
  name: string;
  state?: string;
}
export interface Edge {
  from: string;
  to: string;
}
const width = 178, height = 42;

const hrefs: Record<string, (name: string) => string> = {
  route: () => '/routes', service: (name) => (elsewhere() ? `/containers?q=${encodeURIComponent(name.replace('/', ' '))}` : `/projects/${name.split('/')[0]}`), container: (name) => `/containers/${name}`,
  network: (name) => `/networks?q=${encodeURIComponent(name)}`, volume: (name) => `/volumes/${encodeURIComponent(name)}`,
};
const bar = ({ kind, state }: Node): string =>
  kind === 'network' ? 'bar-net' : kind === 'volume' ? 'bar-vol' : ['running', 'healthy', 'up'].includes(state ?? '') ? 'bar-ok' : ['unhealthy', 'dead', 'failed', 'down'].includes(state ?? '') ? 'bar-bad' : 'bar-idle';
const short = (text: string) => (text.length > 23 ? `${text.slice(0, 22)}…` : text);

function place(nodes: Node[], edges: Edge[]) {
  const graph = new Graph();
  graph.setGraph({ rankdir: 'LR', nodesep: 14, ranksep: 70, marginx: 10, marginy: 10 });
  graph.setDefaultEdgeLabel(() => ({}));
  const known = new Set(nodes.map((node) => node.id));
  nodes.forEach((node) => graph.setNode(node.id, { width, height }));
  edges.filter((edge) => known.has(edge.from) && known.has(edge.to)).forEach((edge) => graph.setEdge(edge.from, edge.to));
  layout(graph);
  return graph;
}

export default function Topology({ nodes, edges }: { nodes: Node[]; edges: Edge[] }) {
  const graph = useMemo(() => place(nodes, edges), [nodes, edges]);
  const [lit, setLit] = useState<string | null>(null);
  const size = graph.graph() as { width?: number; height?: number };
  const near = useMemo(() => new Set(lit ? [lit, ...edges.flatMap((e) => (e.from === lit ? [e.to] : e.to === lit ? [e.from] : []))] : []), [lit, edges]);
  const says = (node: Node) => {
    const to = edges.filter((e) => e.from === node.id || e.to === node.id).map((e) => nodes.find((n) => n.id === (e.from === node.id ? e.to : e.from))?.name);
    return `${node.name}${to.length ? `, connected to ${to.join(', ')}` : ', connected to nothing'}`;
  };
  return (
    <div class="topology" tabIndex={0} role="region" aria-label="Topology">
      <svg width={size.width ?? 0} height={size.height ?? 0} role="group" aria-label={`${nodes.length} objects and ${edges.length} connections`}>
        {graph.edges().map((edge: { v: string; w: string }) => {
          const from = graph.node(edge.v) as { x: number; y: number }, to = graph.node(edge.w) as { x: number; y: number };
          const a = { x: from.x + width / 2, y: from.y }, b = { x: to.x - width / 2, y: to.y }, middle = (a.x + b.x) / 2;
          return <path key={`${edge.v} ${edge.w}`} class={`edge ${lit && (edge.v === lit || edge.w === lit) ? 'lit' : ''}`} d={`M${a.x} ${a.y}C${middle} ${a.y} ${middle} ${b.y} ${b.x} ${b.y}`} />;
        })}
        {nodes.map((node) => {
          const at = graph.node(node.id) as { x: number; y: number };
          return (
            <a key={node.id} href={hrefs[node.kind]?.(node.name) ?? '#'} aria-describedby={`about-${node.id}`} class={near.has(node.id) ? 'lit' : ''}
              onFocus={() => setLit(node.id)} onBlur={() => setLit(null)} onMouseEnter={() => setLit(node.id)} onMouseLeave={() => setLit(null)}>
              <desc id={`about-${node.id}`}>{says(node)}</desc>
              <g transform={`translate(${at.x - width / 2} ${at.y - height / 2})`}>
                <rect width={width} height={height} rx="7" /><rect class={bar(node)} width="5" height={height - 14} x="7" y="7" rx="2.500" style={{ stroke: 'none' }} />
                <text class="kind" x="20" y="16">{node.kind}{node.state ? ` · ${node.state}` : ''}</text><text x="20" y="32">{short(node.name)}</text>
              </g>
            </a>
          );
        })}
      </svg>
    </div>
  );
}
