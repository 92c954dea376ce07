import type { ComponentChildren } from 'preact';
import { Icon } from './Icon';
import type { IconName } from './icons';

interface Props {
  kind?: 'warning' | 'success' | 'danger';
  icon?: IconName;
  children: ComponentChildren;
}

export function Badge({ kind, icon, children }: Props) {
  return (
    <span class={`badge ${kind ?? ''}`}>
      {icon !== undefined && <Icon name={icon} />}
      {children}
    </span>
  );
}
