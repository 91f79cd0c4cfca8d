import type { ContainerView } from '@gantry/facade-native/views'
import type { ReactNode } from 'react'
import { Ago } from '../../parts/ago.tsx'
import { mebibytesText } from '../../parts/amounts.ts'
import { Status } from '../../parts/status.tsx'
import type { SortKey } from './search.ts'
import classes from './table.module.css'

export interface Column {
  readonly key: SortKey | 'project'
  readonly label: string
  /** In which widths it is there. */
  readonly className?: string | undefined
  readonly cell: (container: ContainerView) => ReactNode
}

/** As in the list of instances that Horizon's users know. */
const columns: readonly Column[] = [
  {
    key: 'image',
    label: 'Image',
    className: classes['medium'],
    cell: ({ image }) => <span title={image}>{image}</span>,
  },
  { key: 'address', label: 'Addresses', className: classes['wide'], cell: ({ addresses }) => addressText(addresses) },
  {
    key: 'size',
    label: 'Size',
    className: classes['widest'],
    cell: ({ cpu, memory }) => `${cpu} CPU, ${mebibytesText(memory)}`,
  },
  {
    key: 'status',
    label: 'Status, task',
    cell: ({ status, task, statusReason }) => <Status status={status} task={task} reason={statusReason} />,
  },
  {
    key: 'createdAt',
    label: 'Created',
    className: classes['wide'],
    cell: ({ createdAt }) => <Ago time={createdAt} />,
  },
]
const hostColumn: Column = {
  key: 'host',
  label: 'Host',
  className: classes['widest'],
  cell: ({ host }) => host ?? '',
}

interface Wanted {
  readonly isAdmin: boolean
  /** For lists of several projects. */
  readonly projectName?: (id: string) => string
}

/** Which columns there are. */
export function columnsFor({ isAdmin, projectName }: Wanted): readonly Column[] {
  const project: Column[] = projectName
    ? [
        {
          key: 'project',
          label: 'Project',
          cell: ({ projectId }) => <span title={projectId}>{projectName(projectId)}</span>,
        },
      ]
    : []
  return [...project, ...columns, ...(isAdmin ? [hostColumn] : [])]
}

/** All of them when pointed at, the first in the cell. */
function addressText(addresses: ContainerView['addresses']): ReactNode {
  const [first, ...others] = addresses
  if (!first) return ''
  const all = addresses.map(({ address }) => address).join('\n')
  return <span title={all}>{others.length === 0 ? first.address : `${first.address} +${others.length}`}</span>
}
