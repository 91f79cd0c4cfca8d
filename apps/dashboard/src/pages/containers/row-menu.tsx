import { Menu } from '@mantine/core'
import { IconDots } from '@tabler/icons-react'
import { Link } from '@tanstack/react-router'
import type { ContainerView } from '@gantry/facade-native/views'
import { type ComponentProps, useState } from 'react'
import { type Ask, asks, can, canAsk } from '../../api/containers.ts'
import classes from './table.module.css'
import type { Tab } from '../container/tabs.ts'

interface RowMenuProps {
  readonly container: ContainerView
  readonly onAsk: (what: Ask, container: ContainerView) => void
}

const offered: readonly Ask[] = ['start', 'stop', 'restart', 'pause', 'unpause']

/** What can be done with one container. The menu itself is made when it is first opened: a list has one in each row. */
export function RowMenu(props: RowMenuProps) {
  const [isMade, setIsMade] = useState(false)
  if (isMade) return <MadeMenu {...props} />
  return <Dots name={props.container.name} onClick={() => setIsMade(true)} />
}

function MadeMenu({ container, onAsk }: RowMenuProps) {
  const { id, name } = container
  return (
    <Menu position="bottom-end" defaultOpened>
      <Menu.Target>
        <Dots name={name} />
      </Menu.Target>
      <Menu.Dropdown>
        <TabItem id={id} tab="logs" label="Logs" />
        {can('execute', container) && <TabItem id={id} tab="terminal" label="Terminal" />}
        <Menu.Divider />
        {offered
          .filter((what) => what !== 'unpause' || canAsk(what, container))
          .map((what) => (
            <Menu.Item key={what} disabled={!canAsk(what, container)} onClick={() => onAsk(what, container)}>
              {asks[what].label}
            </Menu.Item>
          ))}
        <Menu.Divider />
        <Menu.Item color="red" disabled={!canAsk('delete', container)} onClick={() => onAsk('delete', container)}>
          Delete…
        </Menu.Item>
      </Menu.Dropdown>
    </Menu>
  )
}

function TabItem({ id, tab, label }: { readonly id: string; readonly tab: Tab; readonly label: string }) {
  return (
    <Menu.Item renderRoot={(props) => <Link {...props} to="/containers/$id" params={{ id }} search={{ tab }} />}>
      {label}
    </Menu.Item>
  )
}

function Dots({ name, ...others }: ComponentProps<'button'> & { readonly name: string }) {
  return (
    <button
      type="button"
      className={classes['dots']}
      aria-label={`Actions for ${name}`}
      aria-haspopup="menu"
      {...others}
    >
      <IconDots size={18} aria-hidden />
    </button>
  )
}
