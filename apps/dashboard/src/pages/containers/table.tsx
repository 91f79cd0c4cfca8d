import type { ContainerView } from '@gantry/facade-native/views'
import { VisuallyHidden } from '@mantine/core'
import { IconArrowDown, IconArrowUp } from '@tabler/icons-react'
import { Link } from '@tanstack/react-router'
import { memo } from 'react'
import type { Ask } from '../../api/containers.ts'
import type { Column } from './columns.tsx'
import { RowMenu } from './row-menu.tsx'
import type { ContainerSearch, SortKey } from './search.ts'
import type { Selection } from './selection.ts'
import classes from './table.module.css'
import { Spacer } from '../../parts/spacer.tsx'
import { useWindowRows } from '../../parts/use-window-rows.ts'

export interface ListProps {
  readonly rows: readonly ContainerView[]
  readonly selection: Selection
  readonly search: ContainerSearch
  /** Beside the name. */
  readonly columns: readonly Column[]
  readonly sortable: readonly SortKey[]
  readonly onSort: (key: SortKey, order: 'asc' | 'desc') => void
  readonly onAsk: (what: Ask, container: ContainerView) => void
}

/** Containers in rows, of which only those in sight are there. */
export function ContainerTable({ rows, selection, search, columns, sortable, onSort, onAsk }: ListProps) {
  const { ref, items, above, below } = useWindowRows<HTMLTableSectionElement>(rows.length, 44)
  const sort = sortOf(search)
  return (
    <table className={classes['table']} aria-rowcount={rows.length + 1} aria-label="Containers">
      <thead>
        <tr aria-rowindex={1}>
          <th className={classes['check']}>
            <AllBox rows={rows} selection={selection} />
          </th>
          {[nameColumn, ...columns].map((column) => (
            <Head key={column.key} column={column} sortable={sortable} sort={sort} onSort={onSort} />
          ))}
          <th className={classes['menu']}>
            <VisuallyHidden>Actions</VisuallyHidden>
          </th>
        </tr>
      </thead>
      <tbody ref={ref}>
        <Spacer height={above} className={classes['spacer']} />
        {items.map(({ index }) => {
          const container = rows[index]
          if (!container) return null
          const row = { container, index, columns, toggle: selection.toggle, onAsk }
          return <Row key={container.id} {...row} isChecked={selection.ids.has(container.id)} />
        })}
        <Spacer height={below} className={classes['spacer']} />
      </tbody>
    </table>
  )
}

/** How the list is sorted now: the newest first, unless something else was asked for. */
export function sortOf({ sort, order }: ContainerSearch): SortHeadProps['sort'] {
  return { key: sort ?? 'createdAt', order: order ?? (sort ? 'asc' : 'desc') }
}

export const nameColumn = { key: 'name', label: 'Name' } as const

interface HeadProps extends Omit<SortHeadProps, 'column'>, Pick<ListProps, 'sortable'> {
  readonly column: Pick<Column, 'key' | 'label' | 'className'>
}

function Head({ column: { key, label, className }, sortable, sort, onSort }: HeadProps) {
  const sortKey = sortable.find((known) => known === key)
  if (sortKey === undefined) return <th className={className}>{label}</th>
  return <SortHead column={{ key: sortKey, label, className }} sort={sort} onSort={onSort} />
}

interface SortHeadProps {
  readonly column: { readonly key: SortKey; readonly label: string; readonly className?: string | undefined }
  readonly sort: { readonly key: SortKey; readonly order: 'asc' | 'desc' }
  readonly onSort: ListProps['onSort']
}

function SortHead({ column: { key, label, className }, sort, onSort }: SortHeadProps) {
  const isSorted = sort.key === key
  const isUp = sort.order === 'asc'
  const Arrow = isUp ? IconArrowUp : IconArrowDown
  const direction = isUp ? 'ascending' : 'descending'
  return (
    <th className={className} aria-sort={isSorted ? direction : 'none'}>
      <button type="button" className={classes['sort']} onClick={() => onSort(key, isSorted && isUp ? 'desc' : 'asc')}>
        {label}
        {isSorted && <Arrow size={14} aria-hidden />}
      </button>
    </th>
  )
}

/** All that the filter leaves, or none of them. */
export function AllBox({ rows, selection: { ids, toggleAll } }: Pick<ListProps, 'rows' | 'selection'>) {
  const isAll = rows.length > 0 && rows.every(({ id }) => ids.has(id))
  return (
    <input
      type="checkbox"
      aria-label={`Select all ${rows.length} listed`}
      checked={isAll}
      ref={(box) => {
        if (box) box.indeterminate = !isAll && rows.some(({ id }) => ids.has(id))
      }}
      onChange={toggleAll}
    />
  )
}

interface RowProps extends Pick<ListProps, 'onAsk'> {
  readonly container: ContainerView
  readonly index: number
  readonly columns: readonly Column[]
  readonly isChecked: boolean
  readonly toggle: Selection['toggle']
}

const Row = memo(function Row({ container, index, columns, isChecked, toggle, onAsk }: RowProps) {
  return (
    <tr aria-rowindex={index + 2} data-checked={isChecked || undefined}>
      <td className={classes['check']}>
        <Box {...{ container, index, isChecked, toggle }} />
      </td>
      <td>
        <NameLink container={container} />
      </td>
      {columns.map(({ key, className, cell }) => (
        <td key={key} className={className}>
          {cell(container)}
        </td>
      ))}
      <td className={classes['menu']}>
        <RowMenu container={container} onAsk={onAsk} />
      </td>
    </tr>
  )
}, alike)

function alike(a: RowProps, b: RowProps): boolean {
  return (
    a.container === b.container &&
    a.index === b.index &&
    a.isChecked === b.isChecked &&
    a.columns === b.columns &&
    a.toggle === b.toggle &&
    a.onAsk === b.onAsk
  )
}

/** With the shift key: all between this one and the last one. */
export function Box({
  container: { name },
  index,
  isChecked,
  toggle,
}: Pick<RowProps, 'container' | 'index' | 'isChecked' | 'toggle'>) {
  return (
    <input
      type="checkbox"
      aria-label={`Select ${name}`}
      checked={isChecked}
      onChange={({ nativeEvent }) => toggle(index, nativeEvent instanceof MouseEvent && nativeEvent.shiftKey)}
    />
  )
}

export function NameLink({ container: { id, name } }: Pick<RowProps, 'container'>) {
  return (
    <Link className={classes['name']} to="/containers/$id" params={{ id }} title={name}>
      {name}
    </Link>
  )
}
