import assert from 'node:assert/strict';
import { test } from 'node:test';
import { GoTemplate } from './go-template.ts';
import { JsonPath } from './jsonpath.ts';

const list = { items: [{ metadata: { name: 'a', labels: { 'x/y': '1' } } }, { metadata: { name: 'b' } }] };
const read = (template: string) => new JsonPath(template, { allowMissingKeys: true }).execute(list);

test('JSONPath in kubectl’s dialect', () => {
  assert.equal(read('{.items[*].metadata.name}'), 'a b');
  assert.equal(read('{range .items[*]}{.metadata.name}{"\\n"}{end}'), 'a\nb\n');
  assert.equal(read("{.items[0].metadata.labels['x/y']}"), '1');
  assert.equal(read('{.items[?(@.metadata.name=="b")].metadata.name}'), 'b');
  assert.equal(read('{.items[-1:].metadata.name}'), 'b');
  assert.throws(() => read('{.items[}'), { message: 'unterminated array' });
});

test('go-template', () => {
  const { output } = new GoTemplate('{{range $i, $p := .items}}{{if $i}},{{end}}{{$p.metadata.name | printf "%s!"}}{{end}}{{len .items}}', {
    missingKeyIsError: false,
  }).execute(list);
  assert.equal(output, 'a!,b!2');
});
