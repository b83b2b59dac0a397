// What the API's routes answer, as far as the pages use it.
export interface Port { text: string }
export interface Container {
  id: string; name: string; project: string | null; service: string | null; image: string; state: string; status: string;
  health: string | null; createdAt: number; startedAt: number | null; ports: string[]; networks: { name: string; ip: string }[];
  labels: number | Record<string, string>; restarts: number; exitCode: number | null; owner: boolean;
}
export interface ContainerDetail extends Container {
  command: string[] | string; env: { name: string; value: string | null }[]; mounts: { type: string; source: string; target: string; name?: string; readOnly?: boolean }[];
  limits: { memory: number | null; cpus: number | null }; healthLog: { at: number; exitCode: number; output: string }[] | null; restartPolicy: string; oomKilled: boolean; finishedAt?: number | null;
}
export interface ProjectService { name: string; replicas: number; running: number; health: string | null; image: string }
export interface Differing { service: string; object: string; cause: string }
export interface Drift { count: number | null; at: number; changed?: Differing[]; missing?: Differing[]; extra?: Differing[]; why?: string }
export interface Project {
  name: string; state: string; services: ProjectService[]; drift: Drift | null; urls?: string[]; source: 'managed' | 'foreign'; files: string[]; updatedAt: number | null; busy?: boolean; problem?: { file: string; line: number; column: number; message: string; caret?: string } | null;
  grantsNeeded?: Grant[]; stale?: { since: number; why: string } | null;
}
export interface Image { id: string; tags: string[]; size: number; createdAt: number; usedBy: string[]; dangling: boolean }
export interface Volume { name: string; driver: string; project: string | null; createdAt: number | null; size: number | null; sizeAt?: number | null; usedBy: string[]; projects?: string[]; unused: boolean; lastBackupAt?: number | null }
export interface Network {
  id: string; name: string; driver: string; project: string | null; internal: boolean; attachable: boolean; subnets: string[]; containers: { id: string; name: string; ip: string }[]; unused: boolean;
}
export interface PlanOp {
  id: string; subject: string; verb: string; cause: string; risk: string | null; details: Change[];
}
export interface Change { field: string; old: unknown; new: unknown; text?: string; secret?: boolean }
export interface PlanLeaf { deed: string; object: string; cause: string; risk: string; risks: string[]; details: Change[] }
export interface Grant { service: string; field: string; value: string; at: string; granted: boolean }
export interface Plan {
  plan: string; text: string; ops: PlanOp[]; tree?: { service: string; leaves: PlanLeaf[] }[]; changes?: boolean;
  summary: { create: number; recreate: number; change?: number; remove: number; images?: number; keep: number }; dataAtRisk?: string[]; downtime?: { service: string; seconds: number; why: string }[];
  warnings?: string[]; foreign: (string | { subject: string; id: string; reason: string })[]; grantsNeeded: (string | Grant)[];
}
export interface Overview {
  engine: { name: string; version: string; apiVersion: string; os: string; cpus: number; memory: number; storage: string } | null;
  containers: { running: number; stopped: number; unhealthy: number }; projects: number; images: number | null; volumes: number | null;
  disk?: Record<string, number> | null; certificates?: { host: string; notAfter?: number; notAfterAt?: number }[]; alerts: { level: string; text: string; subject: string }[];
  stale?: { since: number; why: string } | null;
}
export interface Sample { at: number; cpu: number; memory: number; memoryLimit?: number; rx: number; tx: number; read?: number; write?: number; pids?: number }
export interface History { step: number; at: number[]; cpu: (number | null)[]; memory: (number | null)[]; rx: (number | null)[]; tx: (number | null)[] }
