import type { ContainerView } from '@gantry/facade-native/views'
import { Group, Text } from '@mantine/core'
import { Ago } from '../../parts/ago.tsx'
import { Status } from '../../parts/status.tsx'
import { RowMenu } from './row-menu.tsx'
import classes from './table.module.css'
import { AllBox, Box, type ListProps, NameLink, nameColumn, sortOf } from './table.tsx'
import { SortMenu } from '../../parts/sort-menu.tsx'
import { useWindowRows } from '../../parts/use-window-rows.ts'

/** The same list on a phone. */
export function ContainerCards({ rows, selection, columns, sortable, search, onSort, onAsk }: ListProps) {
  const sort = sortOf(search)
  const known = [nameColumn, ...columns].flatMap(({ key, label }) => {
    const sortKey = sortable.find((one) => one === key)
    return sortKey === undefined ? [] : [{ key: sortKey, label }]
  })
  const project = columns.find(({ key }) => key === 'project')
  const { ref, items, above, below } = useWindowRows<HTMLUListElement>(rows.length, 104)
  return (
    <>
      <Group justify="space-between" gap="xs">
        <Text component="label" size="sm" className={classes['all']}>
          <AllBox rows={rows} selection={selection} /> Select all
        </Text>
        <SortMenu
          noun="containers"
          columns={known}
          sorting={{ key: sort.key, isDescending: sort.order === 'desc' }}
          onSort={({ key, isDescending }) => onSort(key, isDescending ? 'desc' : 'asc')}
        />
      </Group>
      <ul
        ref={ref}
        aria-label="Containers"
        style={{ listStyle: 'none', margin: 0, padding: `${above}px 0 ${below}px` }}
      >
        {items.map(({ index }) => {
          const container = rows[index]
          if (!container) return null
          const isChecked = selection.ids.has(container.id)
          return (
            <li key={container.id} className={classes['card']} aria-setsize={rows.length} aria-posinset={index + 1}>
              <Box {...{ container, index, isChecked }} toggle={selection.toggle} />
              <div className={classes['line']}>
                <NameLink container={container} />
              </div>
              <RowMenu container={container} onAsk={onAsk} />
              <div className={classes['details']}>
                <Status status={container.status} task={container.task} reason={container.statusReason} />
                <Text size="xs" c="dimmed" truncate mt={2}>
                  {project && <>{project.cell(container)} · </>}
                  {lineOf(container)} · <Ago time={container.createdAt} />
                </Text>
              </div>
            </li>
          )
        })}
      </ul>
    </>
  )
}

function lineOf({ image, addresses }: ContainerView): string {
  return [image, addresses[0]?.address].filter(Boolean).join(' · ')
}
