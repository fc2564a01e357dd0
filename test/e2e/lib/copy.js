// COPY ... FROM STDIN with the rows at hand: pg speaks the protocol, but leaves it to others to send the data.

import { Query } from 'pg';

class CopyIn extends Query {
  #data;

  constructor(text, data, callback) {
    super(text, undefined, callback);
    this.#data = data;
  }

  handleCopyInResponse(connection) {
    connection.sendCopyFromChunk(this.#data);
    connection.endCopyFrom();
  }
}

// `rows` are arrays of values in COPY's text format. `query` is a database's: it hands a query object on as it is.
export function copyIn(query, text, rows) {
  const data = Buffer.from(rows.map((row) => `${row.join('\t')}\n`).join(''));
  return new Promise((resolve, reject) => {
    query(new CopyIn(text, data, (error, result) => (error ? reject(error) : resolve(result))));
  });
}
