import type { ContainerView } from '@gantry/facade-native/views'
import type { ReactNode } from 'react'
import { Ago } from '../../parts/ago.tsx'
import { mebibytesText } from '../../parts/amounts.ts'
import { Status } from '../../parts/status.tsx'
import type { SortKey } from './search.ts'
import classes from './table.module.css'

export interface Column {
  readonly key: SortKey
  readonly label: string
  /** In which widths it is there. */
  readonly className?: string | undefined
  readonly adminsOnly?: boolean
  readonly cell: (container: ContainerView) => ReactNode
}

/** As in the list of instances that Horizon's users know. */
export const columns: readonly Column[] = [
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
  { key: 'host', label: 'Host', className: classes['widest'], adminsOnly: true, cell: ({ host }) => host ?? '' },
]

/** All of them when pointed at, the first in the cell. */
function addressText(addresses: ContainerView['addresses']): ReactNode {
  const [first, ...others] = addresses
  if (!first) return ''
  const all = addresses.map(({ address }) => address).join('\n')
  return <span title={all}>{others.length === 0 ? first.address : `${first.address} +${others.length}`}</span>
}
