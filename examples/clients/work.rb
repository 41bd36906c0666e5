# The same morning's work for every Ruby stack: only how the calls are made is the stack's own.
#
# No stack by itself: the other files load it. A stack gives Work a block
# `send(method, url, fields, content)` that returns an Answer or raises, and perhaps one for uploads.

require "date"
require "json"
require "securerandom"
require "time"
require "uri"

MODE = ARGV[0] || "usual"
RIGHT = MODE == "right"
TRANSIENT = [429, 500, 502, 503, 504].freeze
ATTEMPTS = 6
PDF = "%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n2 0 obj<</Type/Pages/Count 0/Kids[]>>endobj\n%%EOF\n"

# Names of fields in lower case.
Answer = Struct.new(:status, :fields, :content)

# The seconds before the attempt behind `attempt` (0, 1, ...): as told, else doubling with jitter.
def pause(attempt, fields)
  told = fields["retry-after"]
  return 0.2 * 2**attempt * rand(0.75..1.25) unless told
  return told.to_i if told.match?(/\A\d+\z/)

  [0, Time.httpdate(told) - Time.httpdate(fields["date"])].max
end

# Repeats what may pass by itself; `broken` are the stack's errors of the line.
def persist(*broken)
  (1..ATTEMPTS).each do |number|
    answer = nil
    begin
      answer = yield
      return answer unless TRANSIENT.include?(answer.status)
    rescue *broken
      raise if number == ATTEMPTS
    end
    return answer if number == ATTEMPTS

    sleep pause(number - 1, answer ? answer.fields : {})
  end
end

class Work
  API = "#{ENV.fetch("QUBS_BASE_URL")}/integrations/v1/#{ENV.fetch("QUBS_DOMAIN")}"

  def initialize(send, put = send)
    @send = send
    @put = put
    @unfinished = false
  end

  def fetch_token
    form = URI.encode_www_form(
      grant_type: "client_credentials", client_id: ENV.fetch("QUBS_CLIENT_ID"),
      client_secret: ENV.fetch("QUBS_CLIENT_SECRET")
    )
    fields = { "Content-Type" => "application/x-www-form-urlencoded" }
    answer = @send.call(:post, ENV.fetch("QUBS_TOKEN_URL"), fields, form)
    raise "token: #{answer.status}" unless answer.status == 200

    @token = JSON.parse(answer.content)["access_token"]
  end

  def call(method, path, body = nil)
    # The key and the octets are made once: whoever repeats the request cannot change them.
    content = body && JSON.generate(body)
    fields = { "Accept" => "application/json", "X-Correlation-Id" => SecureRandom.uuid }
    fields.update("Content-Type" => "application/json", "Idempotency-Key" => SecureRandom.uuid) if body
    with_token = -> { @send.call(method, "#{API}/#{path}", fields.merge("Authorization" => "Bearer #{@token}"), content) }
    answer = with_token.call
    if answer.status == 401 && RIGHT
      fetch_token
      answer = with_token.call
    end
    raise "status #{answer.status}" unless [200, 201].include?(answer.status)

    JSON.parse(answer.content)
  end

  def read_pages
    following = ""
    while following
      page = call(:get, "reporting/appointments/pending?pageSize=25#{following}")
      token = page["nextToken"]
      # The documentation says "empty or omitted": many know one of the two alone.
      token = nil if RIGHT && token == ""
      following = token && "&nextToken=#{URI.encode_www_form_component(token)}"
    end
  end

  def read_stretches
    skip = 0
    loop do
      days = "startDate=#{Date.today - 7}&endDate=#{Date.today + 7}"
      items = call(:get, "appointments?#{days}&skip=#{skip}&take=100")
      skip += items.length
      return if items.length < 100
    end
  end

  def upload
    items = [{ fileName: "report.pdf", contentType: "application/pdf" }]
    (RIGHT ? ATTEMPTS : 1).times do |attempt|
      # A new URL, with a new key, each time: no file is put twice to the same one.
      urls = call(:post, "reporting/appointments/A123456/report/attachments", { items: items })
      begin
        answer = @put.call(:put, urls["items"][0]["uploadUrl"], { "Content-Type" => "application/pdf" }, PDF)
        return if answer.status == 200
      rescue StandardError => error
        raise unless RIGHT
      end
      sleep pause(attempt, {}) if RIGHT
    end
    raise "the file was not stored"
  end

  # Takes a step; what fails for good is told and passed over, as a nightly job would.
  def step(name)
    yield
    true
  rescue StandardError => error
    warn "#{name}: #{error.class}: #{error.message[0, 200]}"
    @unfinished = true
    false
  end

  # Does the work and exits: 0 when all of it is done, else 1.
  def work
    if step("token") { fetch_token }
      step("sites") { call(:get, "sites") }
      step("exam codes") { call(:get, "sites/Central%20Clinic/exam-codes") }
      step("pending") { read_pages }
      step("appointments") { read_stretches }
      %w[reporting/appointments/A123456 appointments/A123456 appointments/operational/by-id/A123456].each do |path|
        step(path) { call(:get, path) }
      end
      step("comment") { call(:post, "reporting/appointments/A123456/comments", { commentText: "Images received." }) }
      if step("upload") { upload }
        report = { reportText: "No acute abnormality detected.", reportStatus: "final" }
        step("report") { call(:post, "reporting/appointments/A123456/report", report) }
      end
    end
    exit(@unfinished ? 1 : 0)
  end
end
