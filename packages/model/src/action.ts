import type { ActionId, ContainerId, ProjectId, RequestId, UserId } from './ids.ts'

/** Names as in Zun's action list. */
export type ActionName =
  | 'create'
  | 'delete'
  | 'start'
  | 'stop'
  | 'reboot'
  | 'pause'
  | 'unpause'
  | 'kill'
  | 'rebuild'
  | 'move'
  | 'commit'
  | 'update'
  | 'network_attach'
  | 'network_detach'
  | 'add_security_group'
  | 'remove_security_group'

/** Something that was asked of a container. Kept after the container is gone: it is the audit. */
export interface Action {
  readonly id: ActionId
  readonly containerId: ContainerId
  readonly projectId: ProjectId
  readonly userId: UserId
  readonly requestId: RequestId
  readonly name: ActionName
  /** The wish version that carries it out; null for one carried out by a call (kill, commit). */
  readonly wishVersion: number | null
  /** Epoch milliseconds. */
  readonly startedAt: number
  readonly finishedAt: number | null
  /** null: no error. */
  readonly error: string | null
}

/** One step taken for an action. */
export interface ActionEvent {
  readonly actionId: ActionId
  /** The step's kind: `pull`, `create`, `start` … */
  readonly name: string
  readonly startedAt: number
  readonly finishedAt: number | null
  readonly result: 'Success' | 'Error' | null
  readonly detail: string | null
}
