// Text of all kinds, as event, room, key and value, in a notification and in an attachment.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { onEachAdapter } from './lib/suite.js';

const texts = {
  'Latin': 'Zwölf Boxkämpfer jagen Viktor quer über den großen Sylter Deich',
  'Greek': 'Ξεσκεπάζω τὴν ψυχοφθόρα βδελυγμία',
  'Cyrillic': 'Съешь же ещё этих мягких французских булок, да выпей чаю',
  'Hebrew and Arabic': 'דג סקרן שט בים · نص حكيم له سر قاطع',
  'Hindi': 'ऋषियों को सताने वाले दुष्ट राक्षसों',
  'Chinese and Japanese': '视野无限广 いろはにほへと',
  'Korean': '키스의 고유조건은 입술끼리 만나야 하고',
  'emoji with joiners and modifiers': '👩‍👩‍👧‍👦 👍🏽 🏳️‍🌈 🇺🇦',
  'beyond the basic plane': '𐍈 𝄞 𠜎 𝕏 \u{10ffff}',
  'combining marks, composed and not': 'e\u0301 \u00e9 Z\u0351\u036b\u0343',
  'invisible': '\u200b\u200e\u200f\u2028\u2029\ufeff\u00ad',
  'the edges of UTF-8': '\u007f\u0080\u07ff\u0800\ud7ff\ue000\uffff\u{10000}',
  'quotes and backslashes': `"double" 'single' \\back\\slash\\ /slash/ \\u0041 \\n`,
  'what JSON escapes': Array.from({ length: 31 }, (_, i) => String.fromCharCode(i + 1)).join('') + '\u007f',
  'markup and format': '</script><!-- %s %d %% ${x} {{y}} $1 $$',
};

onEachAdapter('unicode', {}, ({ query, connect, settled }) => {
  for (const [name, text] of Object.entries(texts)) {
    test(name, async () => {
      const [member, other, third] = await connect({ rooms: [text] }, {}, { rooms: [text] });
      const document = { [text]: [text, { [`${text} ${text}`]: text }] };
      const target = [text, text];
      for (const threshold of [8000, 1]) {
        await query(`SET socketio_emitter.payload_threshold = ${threshold}`);
        await query('SELECT socketio_emit(rooms => ARRAY[$1], event => $2, args => $3)',
          [...target, JSON.stringify([text, document])]);
        await query('SELECT socketio_emit_values(socketio_to($1), $2, $3::text, $4::jsonb, ARRAY[$3::text])',
          [...target, text, JSON.stringify(document)]);
      }
      const once = [[text, text, document], [text, text, document, [text]]];
      assert.deepEqual(await settled(member, other, third), [[...once, ...once], [], [...once, ...once]]);
    });
  }
});
