import { isObject, type Json, type Obj } from '../util/object.ts';

/** Fields that name another object: key of the holder → kind and the field with the name ('' when the value is the name). */
const FIELDS: Record<string, [kind: string, field: string]> = {
  configMap: ['ConfigMap', 'name'],
  configMapRef: ['ConfigMap', 'name'],
  configMapKeyRef: ['ConfigMap', 'name'],
  secret: ['Secret', 'secretName'],
  secretRef: ['Secret', 'name'],
  secretKeyRef: ['Secret', 'name'],
  persistentVolumeClaim: ['PersistentVolumeClaim', 'claimName'],
  serviceAccountName: ['ServiceAccount', ''],
  serviceName: ['Service', ''],
  secretName: ['Secret', ''],
  priorityClassName: ['PriorityClass', ''],
};

/** Gives the objects their new names, and the fields that point at them too. */
export function renameReferences(objects: readonly Obj[], renamed: ReadonlyMap<string, string>): void {
  if (renamed.size === 0) return;
  for (const object of objects) {
    const name = renamed.get(`${object.kind}/${object.metadata?.name}`);
    if (name !== undefined) object.metadata.name = name;
    walk(object, renamed);
  }
}

function walk(value: Json, renamed: ReadonlyMap<string, string>): void {
  if (Array.isArray(value)) {
    for (const item of value) walk(item, renamed);
    return;
  }
  if (!isObject(value)) return;
  for (const [key, item] of Object.entries(value)) {
    const field = FIELDS[key];
    if (field && field[1] === '' && typeof item === 'string') value[key] = renamed.get(`${field[0]}/${item}`) ?? item;
    else if (field && isObject(item)) {
      // A projected volume names its Secret with "name".
      for (const name of [field[1], 'name']) {
        if (typeof item[name] === 'string') item[name] = renamed.get(`${field[0]}/${item[name]}`) ?? item[name];
      }
    } else if ((key === 'roleRef' || key === 'scaleTargetRef' || key === 'subjects') && item) {
      for (const target of (Array.isArray(item) ? item : [item]) as Obj[]) target.name = renamed.get(`${target.kind}/${target.name}`) ?? target.name;
    } else if (key === 'service' && isObject(item) && typeof item.name === 'string') item.name = renamed.get(`Service/${item.name}`) ?? item.name;
    else if (key === 'imagePullSecrets' && Array.isArray(item)) {
      for (const secret of item as Obj[]) secret.name = renamed.get(`Secret/${secret.name}`) ?? secret.name;
    }
    if (field?.[1] !== '') walk(item, renamed);
  }
}
