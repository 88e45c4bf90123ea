# Makes the calls with ruby-pg, every parameter as text: ruby with_ruby_pg.rb CALLS.json
require 'json'
require 'pg'

def native(kind, value)
  case kind
  when 'ints', 'texts', 'uuids' then PG::TextEncoder::Array.new.encode(value)
  when 'json' then value.to_json
  else value.to_s
  end
end

db = PG.connect(ENV.fetch('DATABASE_URL'))
said = JSON.parse(File.read(ARGV[0])).to_h do |call|
  begin
    db.exec_params(call['sql'], call['give'].map { |kind, value| native(kind, value) })
    [call['call'], nil]
  rescue PG::Error => e
    fields = [PG::Result::PG_DIAG_SQLSTATE, PG::Result::PG_DIAG_MESSAGE_PRIMARY, PG::Result::PG_DIAG_MESSAGE_HINT]
    [call['call'], e.result ? fields.map { |field| e.result.error_field(field) } : ['driver', e.message, nil]]
  end
end
puts said.to_json
